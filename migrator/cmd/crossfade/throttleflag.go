package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pgcrossfade/crossfade/migrator"
)

// throttleFlag is the value of --throttle: SIGNAL=LIMIT pairs.
type throttleFlag migrator.Throttle

// throttleUsage explains the flag.
const throttleUsage = `limits of signals that hold back a backfill or verification, or off:
replica-lag, slot-lag, wal-rate (per second) in bytes or as 64MB;
active-sessions; vacuum (a duration); batch-latency (times the target);
horizon-age (transactions); off alone turns all of them off`

func (t *throttleFlag) String() string { return "" }
func (t *throttleFlag) Type() string   { return "SIGNAL=LIMIT,..." }

// Set adds to what is set already, so the flag may be given several times.
func (t *throttleFlag) Set(text string) error {
	if text == "off" {
		*t = throttleFlag(migrator.ThrottleOff)
		return nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		name, limit, found := strings.Cut(strings.TrimSpace(pair), "=")
		if !found {
			return fmt.Errorf("%q is not SIGNAL=LIMIT", pair)
		}
		if err := t.set(name, limit); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (t *throttleFlag) set(name, limit string) (err error) {
	switch name {
	case "replica-lag":
		t.ReplicaLag, err = parseLimit(limit, parseSize)
	case "slot-lag":
		t.SlotLag, err = parseLimit(limit, parseSize)
	case "wal-rate":
		t.WALRate, err = parseLimit(limit, parseSize)
	case "active-sessions":
		t.ActiveSessions, err = parseLimit(limit, strconv.Atoi)
	case "vacuum":
		t.VacuumWait, err = parseLimit(limit, time.ParseDuration)
	case "batch-latency":
		t.BatchLatency, err = parseLimit(limit, parseTimes)
	case "horizon-age":
		t.HorizonAge, err = parseLimit(limit, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
	default:
		err = fmt.Errorf("no such signal: %s", "replica-lag, slot-lag, wal-rate, active-sessions, vacuum, batch-latency, horizon-age")
	}
	return err
}

// parseLimit reads a limit of some kind; off is negative. Zero would be the
// default and not the strictest limit, so it is refused.
func parseLimit[T int | int64 | float64 | time.Duration](text string, parse func(string) (T, error)) (T, error) {
	if text == "off" {
		return -1, nil
	}
	limit, err := parse(text)
	if err != nil || limit <= 0 {
		return 0, fmt.Errorf("%q is no limit above zero, nor off", text)
	}
	return limit, nil
}

// parseTimes reads a factor.
func parseTimes(text string) (float64, error) {
	times, err := strconv.ParseFloat(text, 64)
	if math.IsNaN(times) || math.IsInf(times, 0) {
		return 0, fmt.Errorf("%q is no factor", text)
	}
	return times, err
}

// parseSize reads bytes as PostgreSQL writes them: 512kB, 64MB, 1GB.
func parseSize(text string) (int64, error) {
	digits := strings.TrimRight(text, "kKMGTiB")
	factor, known := map[string]int64{
		"": 1, "b": 1, "kb": 1 << 10, "kib": 1 << 10, "mb": 1 << 20, "mib": 1 << 20, "gb": 1 << 30, "gib": 1 << 30, "tb": 1 << 40, "tib": 1 << 40,
	}[strings.ToLower(strings.TrimSpace(text[len(digits):]))]
	if !known {
		return 0, fmt.Errorf("unknown unit in %q", text)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err == nil && n > (1<<62)/factor {
		return 0, fmt.Errorf("%q is too much", text)
	}
	return n * factor, err
}
