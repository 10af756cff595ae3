package dualwrite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/metric"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/internal/rewrite"
	"github.com/pgcrossfade/crossfade/internal/shadow"
	"github.com/pgcrossfade/crossfade/internal/telemetry"
)

// comparer runs samples both ways, in goroutines of Run.
type comparer struct {
	hook   *Hook
	queue  chan *sample
	limits shadow.Limits
	// durations measures the two statements of a comparison.
	durations metric.Float64Histogram

	mu   sync.Mutex // guards next
	next time.Time  // when the next comparison may begin
}

const (
	// queuePlaces is how many samples wait for each comparison that is under way.
	queuePlaces = 4
	// judgedFor is how long a statement is not looked at again.
	judgedFor = time.Minute
	// seatIdle is how long a connection is kept that compares nothing.
	seatIdle = 30 * time.Second
	// seatsEach bounds the connections of a goroutine, which there are of several
	// if an application has several pools.
	seatsEach = 4
	// unanswered is how long a server may say nothing beyond what it is allowed.
	unanswered = 10 * time.Second
	// shadowBackoff is the pause after a connection that failed.
	shadowBackoff = time.Second
)

func newComparer(h *Hook) *comparer {
	config := h.config.Shadow
	if config.Rate == 0 {
		return nil
	}
	return &comparer{
		hook: h, queue: make(chan *sample, queuePlaces*config.Concurrency),
		limits: shadow.Limits{Rows: config.MaxRows, Timeout: config.Timeout},
	}
}

// seat is where a connection for comparisons leads, and as whom.
type seat struct {
	server *server
	source *source
	user   string
}

// seated is a connection for comparisons.
type seated struct {
	*pgx.Conn
	path []string
	used time.Time
}

// run compares until ctx ends.
func (c *comparer) run(ctx context.Context) {
	seats := map[seat]*seated{}
	defer func() { c.leave(seats, func(*seated) bool { return true }) }()
	idle := time.NewTicker(seatIdle)
	defer idle.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-idle.C:
			c.leave(seats, func(s *seated) bool { return time.Since(s.used) > seatIdle })
		case s := <-c.queue:
			if c.pace(ctx) != nil {
				return
			}
			if err := c.compare(ctx, seats, s); err != nil && ctx.Err() == nil {
				s.server.event(Event{Kind: ShadowFailed, Epoch: s.world.epoch, Err: err})
				_ = pause(ctx, shadowBackoff)
			}
		}
	}
}

// leave closes those connections.
func (c *comparer) leave(seats map[seat]*seated, which func(*seated) bool) {
	for key, s := range seats {
		if which(s) {
			closeSoon(s.Conn)
			delete(seats, key)
		}
	}
}

func closeSoon(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// pace waits for the turn of the next comparison.
func (c *comparer) pace(ctx context.Context) error {
	perSecond := c.hook.config.Shadow.StatementsPerSecond
	if perSecond < 0 {
		return nil
	}
	c.mu.Lock()
	turn := c.next
	if now := time.Now(); turn.Before(now) {
		turn = now
	}
	c.next = turn.Add(time.Duration(2 / perSecond * float64(time.Second)))
	c.mu.Unlock()
	return pause(ctx, time.Until(turn))
}

// compare runs a sample, once for each transition that it touches.
func (c *comparer) compare(ctx context.Context, seats map[seat]*seated, s *sample) error {
	conn, err := c.connection(ctx, seats, s)
	if err != nil {
		return err
	}
	if !slices.Equal(conn.path, s.texts.catalog.SearchPath) {
		s.skip(shadow.Session)
		return nil
	}
	conn.used = time.Now()
	// The server's timeouts come first, unless it does not answer at all.
	ctx, cancel := context.WithTimeout(ctx, unanswered+4*c.limits.Timeout)
	defer cancel()
	for n, i := range s.touched {
		err := c.compareOne(ctx, conn, s, n, i)
		if err == nil {
			continue
		}
		closeSoon(conn.Conn)
		delete(seats, seat{s.server, s.source, s.user})
		if errors.Is(err, shadow.ErrTooMuch) {
			s.tally(i).skip(shadow.Rows)
			return nil
		}
		return err
	}
	return nil
}

// connection is one for the sample: it was opened as the application's was.
func (c *comparer) connection(ctx context.Context, seats map[seat]*seated, s *sample) (*seated, error) {
	key := seat{s.server, s.source, s.user}
	if conn := seats[key]; conn != nil && !conn.IsClosed() {
		return conn, nil
	}
	for len(seats) >= seatsEach {
		var oldest seat
		for other, conn := range seats {
			if seats[oldest] == nil || conn.used.Before(seats[oldest].used) {
				oldest = other
			}
		}
		c.leave(map[seat]*seated{oldest: seats[oldest]}, func(*seated) bool { return true })
		delete(seats, oldest)
	}
	conn, err := s.server.open(ctx, s.source, "crossfade shadow", s.user)
	if err != nil {
		return nil, fmt.Errorf("connect to compare: %w", err)
	}
	opened := &seated{Conn: conn, used: time.Now()}
	if err = shadow.Prepare(ctx, conn.PgConn(), c.limits); err == nil {
		var path []byte
		if err = conn.QueryRow(ctx, pathQuery).Scan(&path); err == nil {
			err = json.Unmarshal(path, &opened.path)
		}
	}
	if err != nil {
		closeSoon(conn)
		return nil, fmt.Errorf("connect to compare: %w", err)
	}
	seats[key] = opened
	return opened, nil
}

// pair is a statement in its two forms for one transition.
type pair struct {
	source, target string
	// types are those that the application gave, verdict what became of them at
	// a time, by the hook's clock.
	types   []uint32
	verdict shadow.Verdict
	at      time.Duration
}

// compareOne runs a sample for the n-th of the transitions that it touches, which
// is at i in the world.
func (c *comparer) compareOne(ctx context.Context, conn *seated, s *sample, n, i int) error {
	p, err := c.judge(ctx, conn, s, n, i)
	if err != nil {
		return err
	}
	o, err := shadow.Compare(ctx, conn.PgConn(), shadow.Read{
		Source: p.source, Target: p.target, Formats: s.formats, Params: s.params, TargetFirst: rand.N(2) == 0,
	}, p.verdict, c.limits)
	if err != nil {
		return err
	}
	t := s.tally(i)
	t.compared(o)
	c.measure(s, t, o)
	if o.Difference != nil && o.Reason == "" {
		c.differed(s, t, *o.Difference)
	}
	return nil
}

// differed tells of a difference. Values stay in the process, unless they may not.
func (c *comparer) differed(s *sample, t *tally, d shadow.Difference) {
	said := d.Detail
	if d.Message != "" {
		said += ": " + d.Message
	}
	redacted := rewrite.Redact(s.original)
	m := ledger.Mismatch{
		Fingerprint: fingerprint(redacted), Statement: redacted, Kind: d.Kind, Code: d.Code, Detail: d.Detail,
		Phase: string(t.Phase), Count: 1,
	}
	if c.hook.config.Shadow.KeepValues {
		m.Statement, m.Parameters, m.Detail = s.original, s.printable(), said
	}
	t.differed(m)
	s.server.event(Event{
		Kind: Mismatched, Epoch: s.world.epoch, SQL: s.original,
		Err: fmt.Errorf("transition %s: results differ in %s: %s", t.Name, d.Kind, said),
	})
}

// fingerprint identifies a text in the ledger.
func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// judge returns the two forms of the sample and whether they are run. What it finds
// out holds for a while, for all connections that send the statement.
func (c *comparer) judge(ctx context.Context, conn *seated, s *sample, n, i int) (pair, error) {
	known := s.pairs.Load()
	if known != nil && len(*known) == len(s.touched) {
		p := (*known)[n]
		if c.hook.uptime()-p.at < judgedFor && p.source != "" && slices.Equal(p.types, s.types) {
			return p, nil
		}
	}
	p := pair{types: s.types, at: c.hook.uptime()}
	var err error
	if p.source, p.target, p.verdict, err = s.forms(i); err != nil {
		return p, err
	}
	if p.verdict.Reason == "" && p.verdict.Difference == nil {
		if p.verdict, err = shadow.Judge(ctx, conn.PgConn(), p.source, p.target, s.types); err != nil || p.verdict.Passing() {
			return p, err
		}
	}
	next := make([]pair, len(s.touched))
	if known != nil {
		copy(next, *known)
	}
	next[n] = p
	s.pairs.Store(&next)
	return p, nil
}

// forms rewrites the sample for both sides of a transition, under the token of the
// phase that is in force.
func (s *sample) forms(i int) (source, target string, v shadow.Verdict, err error) {
	var texts [2]string
	for n, p := range []phase.Phase{phase.Shadow, phase.Live} {
		r, err := s.texts.in(i, p)
		if err != nil {
			return "", "", v, err
		}
		result := r.Rewrite(s.original)
		switch {
		case result.Outcome == rewrite.Rewritten:
			texts[n] = result.SQL
		case result.Outcome == rewrite.Refused && p == phase.Live:
			v.Difference = &shadow.Difference{Kind: shadow.KindError, Code: "0A000", Detail: "refused when the target is read: " + result.Refusal.Message}
		default:
			v.Reason = shadow.Failed
		}
	}
	return texts[0], texts[1], v, nil
}

// printable are the parameters for people to read.
func (s *sample) printable() []string {
	list := make([]string, len(s.params))
	for i, p := range s.params {
		format := int16(0)
		switch {
		case len(s.formats) == 1:
			format = s.formats[0]
		case i < len(s.formats):
			format = s.formats[i]
		}
		switch {
		case p == nil:
			list[i] = "null"
		case format == 0:
			list[i] = string(p)
		default:
			list[i] = fmt.Sprintf(`\x%x`, p)
		}
	}
	return list
}

// measure takes note of how long the statements took.
func (c *comparer) measure(s *sample, t *tally, o shadow.Outcome) {
	if c.durations == nil || o.Source == 0 || o.Target == 0 {
		return
	}
	for side, took := range map[string]time.Duration{"source": o.Source, "target": o.Target} {
		attributes := append(s.server.attributes(), telemetry.Transition.String(t.Name), telemetry.Side.String(side))
		c.durations.Record(context.Background(), took.Seconds(), metric.WithAttributes(attributes...))
	}
}
