package migrator

import (
	"github.com/pgcrossfade/crossfade/internal/preflight"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

// Rename is a column and its new name.
type Rename struct {
	From string `yaml:"from" json:"from"`
	To   string `yaml:"to" json:"to"`
}

func (r *Rename) validate() []error { return checkNames("rename", r.From, r.To) }

func (r *Rename) ask(request *preflight.Request) {
	request.Move = transform.Renamed(transform.Column{Name: r.From}, r.To)
}
