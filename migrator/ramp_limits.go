package migrator

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/pgcrossfade/crossfade/internal/ledger"
)

// RampLimits say when reads go back to the source by themselves: Follow and GuardReads
// look at what the hooks report of phase live, and set the ramp to 0 when a
// limit is passed. The zero value has a sane limit for each; a negative value is none.
type RampLimits struct {
	// Mismatches is the share of comparisons, within Window, that may differ. 0 means
	// that none may. Without dualwrite.Config.Shadow nothing is compared.
	Mismatches float64
	// Errors is by how much the share of the application's statements that fail may be
	// greater on connections that read the target than on those that read the source.
	// 0 means 0.01.
	Errors float64
	// Latency is how many times as long as the read of the source that of the target may
	// take, on the average of the comparisons. 0 means 2. Less than a millisecond is no
	// difference, and some reads that something has held up are none.
	Latency float64
	// Least is how many statements, or comparisons, Errors and Latency are judged by at
	// least. 0 means 50.
	Least int
	// Window is how far back the counters are looked at. 0 means one minute.
	Window time.Duration
}

func (l RampLimits) withDefaults() RampLimits {
	for value, unset := range map[*float64]float64{&l.Errors: 0.01, &l.Latency: 2} {
		if *value == 0 {
			*value = unset
		}
	}
	if l.Least == 0 {
		l.Least = 50
	}
	if l.Window == 0 {
		l.Window = time.Minute
	}
	return l
}

func (l RampLimits) validate() error {
	if l.Mismatches > 1 || l.Errors > 1 || l.Least < 0 || l.Window < 0 {
		return errors.New("a limit of the ramp is out of range: shares are at most 1, counts and durations not negative")
	}
	return nil
}

// beyondChance is how many standard deviations apart two counts must be to be taken
// for different: what comes about by chance in one look of 30,000.
const beyondChance = 4

// passed tells which limit some counters have passed; "" for none. all is what has been
// counted since the phase began.
func (l RampLimits) passed(r, all ledger.Reads) string {
	for _, limit := range []func(ledger.Reads, ledger.Reads) string{l.mismatches, l.errors, l.latency} {
		if why := limit(r, all); why != "" {
			return why
		}
	}
	return ""
}

// mismatches: what only takes too long is a matter of latency.
func (l RampLimits) mismatches(r, _ ledger.Reads) string {
	differed := r.Mismatched - r.TargetTimeouts
	if l.Mismatches < 0 || differed <= 0 || float64(differed) <= l.Mismatches*float64(r.Compared) {
		return ""
	}
	why := fmt.Sprintf("mismatches: %d of %d reads compared differed", differed, r.Compared)
	if r.TargetFailed > 0 {
		why += fmt.Sprintf(", %d of them fail where the target is read", r.TargetFailed)
	}
	return why
}

// errors compares the shares of statements that failed. When hardly any connection
// reads the source by now, those that did since the phase began speak for it.
func (l RampLimits) errors(r, all ledger.Reads) string {
	least := int64(l.Least)
	if l.Errors < 0 || r.TargetStatements < least {
		return ""
	}
	sourceErrors, sourceStatements, since := r.SourceErrors, r.SourceStatements, ""
	if sourceStatements < least {
		sourceErrors, sourceStatements, since = all.SourceErrors, all.SourceStatements, " since the phase began"
	}
	if sourceStatements < least {
		sourceErrors, sourceStatements = 0, 0
	}
	target, deviation := share(r.TargetErrors, r.TargetStatements)
	source, other := share(sourceErrors, sourceStatements)
	if more := target - source; more <= l.Errors || more <= beyondChance*math.Sqrt(deviation+other) {
		return ""
	}
	if sourceStatements == 0 {
		return fmt.Sprintf("errors: %d of %d statements failed that read the target, and too few read the source to compare with",
			r.TargetErrors, r.TargetStatements)
	}
	return fmt.Sprintf("errors: %d of %d statements failed that read the target, %d of %d that read the source%s",
		r.TargetErrors, r.TargetStatements, sourceErrors, sourceStatements, since)
}

// share is a share and its variance.
func share(part, whole int64) (share, variance float64) {
	if whole == 0 {
		return 0, 0
	}
	share = min(1, float64(part)/float64(whole))
	return share, share * (1 - share) / float64(whole)
}

// latency compares the averages. A few reads that something has held up make them
// differ too, but hold up either side as often: more must have been slower on the
// target than chance explains.
func (l RampLimits) latency(r, _ ledger.Reads) string {
	if l.Latency < 0 || r.Timed < int64(l.Least) || r.TargetSeconds <= l.Latency*r.SourceSeconds {
		return ""
	}
	source, target := r.Averages()
	slower := float64(r.TargetSlower - r.SourceSlower)
	if target-source <= ledger.Noticeable || slower <= beyondChance*math.Sqrt(float64(r.TargetSlower+r.SourceSlower)) {
		return ""
	}
	why := fmt.Sprintf("latency: reads of the target take %s, those of the source %s, on the average of %d; %d were slower on the target, %d on the source",
		target.Round(time.Microsecond), source.Round(time.Microsecond), r.Timed, r.TargetSlower, r.SourceSlower)
	if r.TargetTimeouts > 0 {
		why += fmt.Sprintf("; %d of the target were given up", r.TargetTimeouts)
	}
	return why
}
