package ledger

import "strconv"

// SyncFunction is the name of the function, in this schema, of the trigger of a
// transition.
func SyncFunction(id int64) string { return "t" + strconv.FormatInt(id, 10) + "_sync" }

// KeepsBoth tells whether the transition has a trigger, between its installation
// and contract, that keeps both sides of every row.
func (d Definition) KeepsBoth() bool { return d.Sync == "trigger" && d.SyncMode == "sync" }
