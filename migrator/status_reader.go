package migrator

import (
	"context"
)

// StatusReader reads the status again and again over one connection. It is for
// one goroutine at a time. Close it.
type StatusReader struct {
	migrator *Migrator
	session  *session // nil when there is none
}

// StatusReader returns a reader that has not connected yet.
func (m *Migrator) StatusReader() *StatusReader { return &StatusReader{migrator: m} }

// Status is Migrator.Status. It connects where there is no connection, and gives it
// up after an error.
func (r *StatusReader) Status(ctx context.Context, o StatusOptions) (list []Status, err error) {
	if r.session == nil {
		if r.session, err = r.migrator.open(ctx); err != nil {
			r.session = nil
			return nil, overtaken(ctx, advise(err))
		}
	}
	list, err = r.session.statuses(ctx, o)
	if err != nil {
		r.Close(ctx)
		return nil, overtaken(ctx, advise(err))
	}
	return list, nil
}

// Server is the database and the address that the connection leads to; two empty
// strings when there is none.
func (r *StatusReader) Server() (database, address string) {
	if r.session == nil {
		return "", ""
	}
	if a := r.session.conn.PgConn().Conn().RemoteAddr(); a != nil {
		address = a.String()
	}
	return r.session.conn.Config().Database, address
}

// Close ends the connection. The reader may be used again.
func (r *StatusReader) Close(ctx context.Context) {
	if r.session != nil {
		r.session.close(ctx)
		r.session = nil
	}
}
