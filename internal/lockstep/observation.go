package lockstep

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Observation is everything that can be seen of a step.
type Observation struct {
	Answers []Answer
	// Contents are the tables as an application sees them afterwards, Faulty the
	// rows whose sides do not agree.
	Contents, Faulty string
	// Sequences is how far the sequences have gone. After an error it is empty:
	// how much is evaluated before one is nobody's business.
	Sequences string
}

// Answer is what one execution of a statement gives.
type Answer struct {
	SQL       string
	ParamOIDs []uint32
	Columns   []string
	Rows      []string
	Tag       string
	// Code is the SQLSTATE of an error, Message what it says, Position where.
	Code, Message string
	Position      int32
	// Refused is the message of a refusal by the hook.
	Refused string
}

func (a Answer) failed() bool { return a.Code != "" || a.Refused != "" }

func (a *Answer) read(r *pgconn.Result, ordered bool) {
	for _, f := range r.FieldDescriptions {
		a.Columns = append(a.Columns, fmt.Sprintf("%s %d %d", f.Name, f.DataTypeOID, f.TypeModifier))
	}
	for _, row := range r.Rows {
		var values []string
		for _, v := range row {
			if v == nil {
				values = append(values, "null")
				continue
			}
			values = append(values, fmt.Sprintf("%q", v))
		}
		a.Rows = append(a.Rows, strings.Join(values, " "))
	}
	if !ordered {
		slices.Sort(a.Rows)
	}
	a.Tag = r.CommandTag.String()
}
