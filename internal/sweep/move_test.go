package sweep_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/sweep"
	"github.com/pgcrossfade/crossfade/internal/transform"
)

func text(name, value string) transform.Column {
	return transform.Column{Name: name, Type: "text", BaseType: "text", Value: value}
}

// splitting makes first and last of a full name; both directions lose.
var splitting = transform.Move{
	Kind:    transform.Split,
	Sources: []transform.Column{text("full_name", "(first || ' '::text) || last")},
	Targets: []transform.Column{
		text("first", "split_part(full_name, ' '::text, 1)"), text("last", "split_part(full_name, ' '::text, 2)"),
	},
	Lossy: []transform.Direction{transform.Forward, transform.Backward},
}

const people = `create table item (id int primary key, full_name text, first text, last text);
	insert into item values (1, 'Ada Lovelace', null, null), (2, 'Cher', null, null), (3, null, null, null),
		(4, 'Mary Ann Lee', 'Mary Ann', 'Lee'), (5, 'Ada King', 'Ada', null)`

// moved is a fixture whose transition is that move.
func moved(t *testing.T, ddl string, m transform.Move) *fixture {
	t.Helper()
	f := newFixture(t, ddl)
	f.transition.Definition.Move = m
	return f
}

func rows(f *fixture, columns string) []string {
	return query[[]string](f, `select array_agg(concat_ws('|', id::text, `+columns+`) order by id) from item`)
}

func TestCopyOfASplit(t *testing.T) {
	t.Parallel()
	f := moved(t, people, splitting)
	p, err := sweep.Copy(ctx, f.conn, f.options(ledger.Backfill))
	require.NoError(t, err)
	require.EqualValues(t, 3, p.RowsChanged, "a NULL has no parts, and row 4 was written under the targets' names")
	require.Equal(t, []string{"1|Ada|Lovelace", "2|Cher|", "3", "4|Mary Ann|Lee", "5|Ada|King"}, rows(f, "first, last"))
	p, err = sweep.Compare(ctx, f.conn, f.options(ledger.Verify))
	require.NoError(t, err)
	require.Zero(t, p.Mismatches)
}

func TestLossIsNotForgivenWhereItWasNotDeclared(t *testing.T) {
	t.Parallel()
	m := splitting
	m.Lossy = []transform.Direction{transform.Forward}
	f := moved(t, people, m)
	p, err := sweep.Compare(ctx, f.conn, f.options(ledger.Verify))
	require.NoError(t, err)
	require.EqualValues(t, 4, p.Mismatches)
	require.Equal(t, [][]string{{"1"}, {"2"}, {"4"}, {"5"}}, p.Samples)
}

// A refill leaves a source of which forward has made the target: 'Cher' does
// not become 'Cher '.
func TestRefillKeepsWhatForwardExplains(t *testing.T) {
	t.Parallel()
	f := moved(t, `create table item (id int primary key, full_name text, first text, last text);
		insert into item values (1, 'Cher', 'Cher', ''), (2, 'Ada King', 'Ada', 'Lovelace'), (3, 'x', null, null), (4, null, 'A', 'B')`, splitting)
	for _, p := range []phase.Phase{phase.Shadow, phase.Live} {
		f.move(p)
	}
	f.refill()
	p, err := sweep.Copy(ctx, f.conn, f.options(ledger.Refill))
	require.NoError(t, err)
	require.EqualValues(t, 3, p.RowsChanged)
	require.Equal(t, []string{"1|Cher", "2|Ada Lovelace", "3", "4|A B"}, rows(f, "full_name"))
}

// refill changes the direction of copying.
func (f *fixture) refill() {
	f.Helper()
	require.NoError(f, ledger.Forbid(ctx, f.conn, f.transition, ledger.Backfill))
	var err error
	f.token, err = ledger.Allow(ctx, f.conn, f.transition, ledger.Refill)
	require.NoError(f, err)
}

var widening = transform.Move{
	Kind:    transform.Change,
	Sources: []transform.Column{{Name: "age", Type: "integer", BaseType: "integer", Value: "age_big"}},
	Targets: []transform.Column{{Name: "age_big", Type: "bigint", BaseType: "bigint", Value: "age"}},
}

// What only the target can hold has no way back, and says so.
func TestValueWithoutCounterpart(t *testing.T) {
	t.Parallel()
	f := moved(t, `create table item (id int primary key, age int, age_big bigint);
		insert into item select i, i, i from generate_series(1, 50) i;
		update item set age_big = 3000000000 where id = 33`, widening)
	for _, p := range []phase.Phase{phase.Shadow, phase.Live} {
		f.move(p)
	}
	f.refill()
	p, err := sweep.Copy(ctx, f.conn, f.options(ledger.Refill))
	require.ErrorIs(t, err, sweep.ErrNoCounterpart)
	require.ErrorContains(t, err, "after key (20) and up to (40)")
	require.EqualValues(t, 20, p.RowsScanned)
}

// A scale is part of a numeric's type, and the same number is the same whatever
// its scale.
func TestScaleOfNumeric(t *testing.T) {
	t.Parallel()
	f := moved(t, `create table item (id int primary key, price numeric(8,4), amount numeric(6,2));
		insert into item values (1, 1.2345, null), (2, 2.5, 2.5), (3, 3.999, 4), (4, null, null)`, transform.Move{
		Kind:    transform.Change,
		Sources: []transform.Column{{Name: "price", Type: "numeric(8,4)", BaseType: "numeric", Value: "amount"}},
		Targets: []transform.Column{{Name: "amount", Type: "numeric(6,2)", BaseType: "numeric", Value: "price"}},
		Lossy:   []transform.Direction{transform.Forward},
	})
	p, err := sweep.Copy(ctx, f.conn, f.options(ledger.Backfill))
	require.NoError(t, err)
	require.EqualValues(t, 1, p.RowsChanged)
	require.Equal(t, []string{"1|1.23", "2|2.50", "3|4.00", "4"}, rows(f, "amount"))
}
