package sweep

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// work walks with one worker, and with as many more as there are connections for.
// There is no other way of walking: a lone worker is several of which one came.
func work(ctx context.Context, conn *pgx.Conn, o Options, copying bool, batch batchFunc, committed func()) (ledger.Progress, error) {
	shared := &gauges{signals: o.Signals, interval: o.SignalInterval, readings: []Reading{}}
	first := newWalk(conn, o, copying, batch, shared)
	first.helper, first.committed = o.Join, committed
	if len(o.Helpers) == 0 {
		err := first.run(ctx)
		return first.progress, err
	}
	// The helpers come when there is something to help with, and go with the first.
	helping, stop := context.WithCancel(ctx)
	var helpers sync.WaitGroup
	first.started = func() {
		for _, conn := range o.Helpers {
			helper := newWalk(conn, o, copying, batch, shared)
			helper.helper, helper.o.OnProgress = true, nil
			helpers.Go(func() {
				err := helper.run(helping)
				if err != nil && helping.Err() == nil && o.OnHelperLost != nil {
					o.OnHelperLost(err)
				}
			})
		}
	}
	err := first.run(ctx)
	stop()
	helpers.Wait()
	return first.progress, err
}

func newWalk(conn *pgx.Conn, o Options, copying bool, batch batchFunc, g *gauges) *walk {
	return &walk{conn: conn, o: o, batch: batch, copying: copying, pace: newPace(o), holding: holding{gauges: g}}
}
