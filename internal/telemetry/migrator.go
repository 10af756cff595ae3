package telemetry

// The metrics of the migrator: of what the process itself has done.
var (
	Rows = Metric{"crossfade.backfill.rows", "{row}", Gauge, []string{"crossfade.transition", "crossfade.job"},
		"Rows that a scan of the table has looked at, also before it was interrupted."}
	Rate = Metric{"crossfade.backfill.rate", "{row}/s", Gauge, []string{"crossfade.transition", "crossfade.job"},
		"Rows per second of a scan."}
	Remaining = Metric{"crossfade.backfill.remaining", "{row}", Gauge, []string{"crossfade.transition", "crossfade.job"},
		"Rows that are left to a scan, by the planner's estimate of the table."}
	Mismatches = Metric{"crossfade.verify.mismatches", "{row}", Gauge, []string{"crossfade.transition", "crossfade.job"},
		"Rows in which source and target differ, in the last comparison."}
	Throttle = Metric{"crossfade.throttle.usage", "1", Gauge, []string{"crossfade.transition", "crossfade.job", "crossfade.signal"},
		"What a signal of the throttle reads, as a share of its limit; above 1 the scan stands still."}
	SyncLag = Metric{"crossfade.sync.lag", "s", Gauge, []string{"crossfade.transition"},
		"How old the oldest commit is that the follower of the log has not applied; of sync: logical."}
	SyncBacklog = Metric{"crossfade.sync.backlog", "By", Gauge, []string{"crossfade.transition"},
		"How much of the log the follower has not applied; of sync: logical."}
	DrainDuration = Metric{"crossfade.drain.duration", "s", Histogram, []string{"crossfade.transition", "crossfade.from", "crossfade.to"},
		"How long drains took that have ended."}
	DrainWaiting = Metric{"crossfade.drain.waiting", "{session}", Gauge, []string{"crossfade.transition"},
		"Sessions and prepared transactions that a drain waits for."}
	Retries = Metric{"crossfade.ddl.retries", "{retry}", Counter, []string{"crossfade.transition"},
		"Attempts of DDL statements that did not get their lock."}
)

// Metrics are all of them.
func Metrics() []Metric {
	return []Metric{
		Phase, Statements, Stale, Recycled, Connections, Epoch, CacheTexts, CacheSize, RewriteDuration,
		Compared, ReadMismatches, ReadsFailed, Skipped, Dropped, ReadDuration, Ramp,
		Rows, Rate, Remaining, Mismatches, Throttle, SyncLag, SyncBacklog, DrainDuration, DrainWaiting, Retries,
	}
}
