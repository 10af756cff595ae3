package sweep

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// keySettings are the limits of CopyKeys: it waits for locks for less than
// deadlock_timeout, and goes to the rows by the index of their key.
const keySettings = `set local lock_timeout = '200ms';
set local enable_seqscan = off;
set local enable_hashjoin = off;
set local enable_mergejoin = off;
set local jit = off;
set local row_security = off`

// Keys copies chosen rows from the sources to the targets. The zero value is not
// usable; it belongs to one connection, and remembers what it has looked up.
type Keys struct {
	Transition ledger.Transition

	names []string // of the key that was looked up
	q     statements
}

// Copy copies the rows with those keys, as far as they exist and are not
// consistent, in a transaction of the caller's, and returns the keys of those it
// has copied. names are the columns of a unique key, and values their texts, column
// by column. As in a batch of Copy, value and condition are of the row as it is
// when it is locked. ErrForbidden without the token.
func (k *Keys) Copy(ctx context.Context, tx pgx.Tx, token string, names []string, values [][]string) ([][]string, error) {
	if _, err := tx.Exec(ctx, keySettings); err != nil {
		return nil, err
	}
	if strings.Join(k.names, "\x00") != strings.Join(names, "\x00") {
		if err := k.look(ctx, tx, names); err != nil {
			return nil, err
		}
	}
	k.q.token = token
	sql, args := k.q.keyed(values)
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, explainKeys(err)
	}
	copied, err := pgx.CollectRows(rows, pgx.RowTo[[]string])
	return copied, explainKeys(err)
}

// Blame finds the first of those keys whose row makes Copy fail for what it holds,
// and what is wrong with it. Nothing is copied. A nil key: none does, alone.
func (k *Keys) Blame(ctx context.Context, conn *pgx.Conn, token string, names []string, values [][]string) (key []string, cause error, err error) {
	for i := range values[0] {
		one := make([][]string, len(values))
		key := make([]string, len(values))
		for column := range values {
			key[column] = values[column][i]
			one[column] = []string{key[column]}
		}
		tx, err := conn.Begin(ctx)
		if err != nil {
			return nil, nil, err
		}
		_, cause := k.Copy(ctx, tx, token, names, one)
		if err := tx.Rollback(ctx); err != nil {
			return nil, nil, err
		}
		if errors.Is(cause, ErrNoCounterpart) || errors.Is(cause, ErrConstraint) {
			return key, cause, nil
		}
	}
	return nil, nil, nil
}

func (k *Keys) look(ctx context.Context, tx pgx.Tx, names []string) error {
	table := Table{Schema: k.Transition.Schema, Name: k.Transition.Table, Key: names}
	key, sources, targets, err := readColumns(ctx, tx.Conn(), table, k.Transition.Definition.Move)
	if err != nil {
		return err
	}
	movement, err := movementOf(k.Transition.Definition, ledger.Backfill, sources, targets)
	if err != nil {
		return err
	}
	k.names = names
	k.q = statements{table: pgx.Identifier{table.Schema, table.Name}.Sanitize(), key: key, movement: movement}
	return nil
}

// keyed is copy for chosen keys. The join is with the keys alone, so nothing that
// is written comes from it.
func (q statements) keyed(values [][]string) (string, arguments) {
	var args arguments
	arrays, columns, same := make([]string, len(q.key)), make([]string, len(q.key)), make([]string, len(q.key))
	for i, c := range q.key {
		args = append(args, values[i])
		arrays[i] = fmt.Sprintf("$%d::text[]::%s[]", len(args), c.typ)
		columns[i] = fmt.Sprintf("crossfade_%d", i)
		same[i] = fmt.Sprintf("t.%s = k.crossfade_%d", c.name, i)
	}
	return fmt.Sprintf(`with _crossfade as (select from %s) update %s as t set %s from unnest(%s) as k (%s) where %s and %s returning array[%s]`,
		pgx.Identifier{ledger.Schema, q.token}.Sanitize(), q.table, q.set, strings.Join(arrays, ", "), strings.Join(columns, ", "),
		strings.Join(same, " and "), q.differs, q.list("t.%s::text")), args
}

func explainKeys(err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err
	}
	switch {
	case pgErr.Code == "42P01":
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	case strings.HasPrefix(pgErr.Code, "22"):
		return fmt.Errorf("%w: %w", ErrNoCounterpart, err)
	case strings.HasPrefix(pgErr.Code, "23"):
		return fmt.Errorf("%w: %w", ErrConstraint, err)
	}
	return err
}
