package console

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Count prints a number with separators: 1,234,567.
func Count(n int64) string {
	if n < 0 {
		return "-" + Count(-n)
	}
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Plural prints a number of things: 1 row, 2,000 rows.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(int64(n)) + " " + noun + "s"
}

// Duration prints a duration as a person would say it: 85ms, 4.2s, 3m10s, 2h05m.
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 10*time.Second && d%time.Second != 0:
		return fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// Size prints a number of bytes: 12 bytes, 1.5 MB.
func Size(bytes float64) string {
	unit := 0
	for ; bytes >= 1024 && unit < 4; unit++ {
		bytes /= 1024
	}
	if unit == 0 {
		return fmt.Sprintf("%.0f bytes", bytes)
	}
	return fmt.Sprintf("%.1f %cB", bytes, "kMGT"[unit-1])
}

// Measure prints a value with its unit, as signals of the throttle have them.
func Measure(value float64, unit string) string {
	switch unit {
	case "bytes":
		return Size(value)
	case "bytes/s":
		return Size(value) + "/s"
	case "seconds":
		return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.2f", value), "0"), ".0") + "s"
	}
	return Count(int64(value)) + " " + unit
}
