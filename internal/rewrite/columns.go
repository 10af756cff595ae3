package rewrite

import "slices"

// columns are what is known of the columns of a FROM item or of a query's
// result.
type columns struct {
	// names are known columns in their order. Unless exact, other columns
	// stand between or behind them that bear the name of no source or target.
	names []string
	exact bool
	// unknown: there may be columns of any name besides.
	unknown bool
}

func exactly(names ...string) columns { return columns{names: names, exact: true} }

// answer is what can be said about a column's existence.
type answer uint8

const (
	no answer = iota
	maybe
	yes
)

func (c columns) has(name string) answer {
	switch {
	case slices.Contains(c.names, name):
		return yes
	case c.unknown:
		return maybe
	}
	return no
}

// renamed is c under an alias column list, which renames the first columns.
func (c columns) renamed(aliases []string) columns {
	switch {
	case len(aliases) == 0:
		return c
	case c.exact:
		rest := c.names[min(len(aliases), len(c.names)):]
		return exactly(slices.Concat(aliases, rest)...)
	}
	// Which columns the list renames is not known; a name that was there may
	// be gone.
	return columns{names: aliases, unknown: c.unknown || len(c.names) > 0}
}

// and is c followed by d.
func (c columns) and(d columns) columns {
	return columns{
		names:   slices.Concat(c.names, d.names),
		exact:   c.exact && d.exact,
		unknown: c.unknown || d.unknown,
	}
}
