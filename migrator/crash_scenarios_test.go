package migrator_test

import (
	"slices"

	"github.com/pgcrossfade/crossfade/internal/ledger"
	"github.com/pgcrossfade/crossfade/internal/phase"
	"github.com/pgcrossfade/crossfade/migrator"
)

// crashScenario is an operation to crash in.
type crashScenario struct {
	name       string
	setup      string
	transition migrator.Transition
	// before and after are what the application does before a way back begins, and
	// after each crash. They know the source's name.
	before, after string
	// insert follows each of them, unless numbers may be skipped.
	insert string
	// legacy tells whether after comes from a session without the hook: whether
	// that is followed where the transition stands. Nil: never.
	legacy func(ledger.Transition) bool
	// from is the step after which the way back begins; empty for complete.
	from string
	// vary is a column whose values are others in each run.
	vary string
	// process: it is in the sample of the process and the server too.
	process bool
}

// directions are the ways that are the scenario's own.
func (s crashScenario) directions() []bool {
	if s.from != "" {
		return []bool{true}
	}
	return []bool{false, true}
}

const (
	renameBefore = `update users set full_name = full_name || '!' where id % 2 = 0`
	renameAfter  = `update users set full_name = 'after the crash' where id in (1, 2)`
)

// crashScenarios has every operation, and every step of a move.
func crashScenarios() []crashScenario {
	list := []crashScenario{
		{name: "rename", setup: users, transition: rename, before: renameBefore, after: renameAfter, process: true},
		{name: "rename with a trigger", setup: users, transition: withSync(rename, ""), before: renameBefore, after: renameAfter, legacy: untilUnsync},
		{name: "rename with a tail", setup: users, transition: withTail(rename), before: renameBefore, after: renameAfter, legacy: untilBarrier, process: true},
		{name: "rename with a tail at work", setup: users, transition: withTail(rename), before: renameBefore, after: renameAfter, legacy: untilBarrier, from: "enforce"},
		{name: "rename of partitions", setup: layouts["list and hash"].setup(300), transition: rename, before: renameBefore, after: renameAfter},
		{name: "change that keeps the name", setup: counters, transition: keeping, process: true,
			before: `update users set visits = visits + 1000 where id % 2 = 0`, after: `update users set visits = 2000 where id in (1, 2)`},
		{name: "split", setup: people, transition: splitting(), before: `update users set full_name = 'Ada' || id || ' King' where id % 2 = 0`,
			after: `update users set full_name = 'Grace Hopper' where id = 2`},
		{name: "merge", setup: people + `; alter table users add first_name text not null default 'Jane', add last_name text;
			update users set first_name = 'F' || id, last_name = 'L' || id; alter table users alter last_name set not null; alter table users drop full_name`,
			transition: merging(), before: `update users set first_name = first_name || '!' where id % 2 = 0`,
			after: `update users set first_name = 'Grace', last_name = 'Hopper' where id = 2`},
		{name: "primary key", setup: orders, transition: widen, process: true,
			before: `update orders set parent_id = 7 where id = 8`, after: `update orders set parent_id = 1 where id = 2`,
			insert: `insert into orders (customer_id, parent_id) values (2, 1)`},
	}
	for _, c := range treeAlterations {
		if c.name != "unique" && c.name != "foreign key" {
			continue
		}
		tr, err := alteration(c.operation)
		if err != nil {
			panic(err)
		}
		list = append(list, crashScenario{name: "add a " + c.name + " of partitions", setup: treeAccounts, transition: tr,
			before: `update users set email = 'before' || id || '@example.org' where id % 2 = 0`,
			after:  `update users set email = 'after' || id || '@example.org' where id in (1, 2)`})
	}
	for _, c := range alterations {
		tr, err := alteration(c.operation)
		if err != nil {
			panic(err)
		}
		s := crashScenario{name: c.name, setup: accounts, transition: tr,
			before: `update users set email = 'before' || id || '@example.org' where id % 2 = 0`,
			after:  `update users set email = 'after' || id || '@example.org' where id in (1, 2)`}
		switch c.name {
		case "add a column with a volatile default":
			s.vary = "token"
		case "set not null with a value":
			s.vary = "nick" // what was filled stays after a rollback
		}
		s.process = c.name == "add a unique constraint"
		list = append(list, s)
	}
	return list
}

func crashScenarioNamed(name string) crashScenario {
	list := crashScenarios()
	return list[slices.IndexFunc(list, func(s crashScenario) bool { return s.name == name })]
}

// untilUnsync: the trigger keeps both sides.
func untilUnsync(row ledger.Transition) bool {
	return row.Phase != phase.Contracted && row.Step != "unsync" && row.Step != "settle" && row.Underway != "unsync"
}

// untilBarrier: what is written is copied, or read from the log.
func untilBarrier(row ledger.Transition) bool {
	return row.Phase == phase.Off || slices.Contains([]string{"expand", "dualwrite", "sync", "backfill"}, row.Step)
}

func merging() migrator.Transition {
	return migrator.Transition{
		Name: "merge", Table: "users", IgnoreApplications: []string{auditor},
		Merge: &migrator.Merge{
			From: []migrator.MergeOf{
				{Name: "first_name", Value: "split_part(full_name, ' ', 1)"},
				{Name: "last_name", Value: "split_part(full_name, ' ', 2)"}},
			To: "full_name", Type: "text", Forward: "first_name || ' ' || last_name",
		},
	}
}
