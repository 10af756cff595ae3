package migrator

import (
	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// DropColumn is a column that nobody needs any more.
type DropColumn struct {
	Name string `yaml:"name" json:"name"`
}

func (d *DropColumn) validate() []error { return checkNamed("drop_column", "name", d.Name) }

func (d *DropColumn) ask(request *preflight.Request) {
	request.Move.Kind = ledger.DropColumn
	request.Alteration = &ledger.Alteration{Column: &transform.Column{Name: d.Name}}
}

// dropColumnWay hides the column under another name, which can be taken back at
// once, and drops it at contract.
func dropColumnWay(a ledger.Alteration) way {
	if a.Column.NotNull && a.Column.Default == "" {
		return way{relaxStep, hideStep, dropHiddenStep}
	}
	return way{hideStep, dropHiddenStep}
}
