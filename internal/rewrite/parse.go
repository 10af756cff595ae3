package rewrite

import (
	"errors"
	"fmt"

	pg "github.com/sqlc-dev/oliphant"
	pgparser "github.com/sqlc-dev/oliphant/parser"
)

// parser turns a text into PostgreSQL's raw parse tree. It is an interface so
// that another implementation with the same tree can take its place.
type parser interface {
	// parse fails with a *syntaxError where the text is wrong.
	parse(sql string) (*pg.ParseResult, error)
}

// syntaxError is what a parser says of a text that it rejects.
type syntaxError struct {
	message string
	offset  int
}

func (e *syntaxError) Error() string { return e.message }

// oliphant is the parser in use. A panic in it is an error.
type oliphant struct{}

func (oliphant) parse(sql string) (tree *pg.ParseResult, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse: %v", r)
		}
	}()
	tree, err = pg.Parse(sql)
	var e *pgparser.Error
	if errors.As(err, &e) {
		return nil, &syntaxError{message: e.Message, offset: offsetOf(sql, e.Cursorpos)}
	}
	return tree, err
}

// offsetOf is the byte offset of the character at a position that counts from
// one, or -1.
func offsetOf(sql string, position int) int {
	count := 0
	for offset := range sql {
		if count++; count == position {
			return offset
		}
	}
	return -1
}
