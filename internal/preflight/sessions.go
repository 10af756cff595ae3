package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/fence"
	"github.com/pgcrossfade/crossfade/internal/synctrigger"
)

// dumpApplication is the application_name of pg_dump.
const dumpApplication = "pg_dump"

// checkSessions lists who is connected without the hook, by application.
func checkSessions(ctx context.Context, in *inspection) error {
	sessions, err := fence.Older(ctx, in.tx, 0) // epoch 0 is the least that a hook holds
	if err != nil {
		return err
	}
	type party struct{ user, application string }
	var parties []party
	members := map[party][]fence.Session{}
	for _, s := range sessions {
		if slices.Contains(in.IgnoreApplications, s.Application) {
			continue
		}
		p := party{s.User, s.Application}
		if members[p] == nil {
			parties = append(parties, p)
		}
		members[p] = append(members[p], s)
	}
	for _, p := range parties {
		object := fmt.Sprintf("application %q of role %s", p.application, p.user)
		var pids []string
		for _, s := range members[p] {
			pids = append(pids, fmt.Sprint(s.PID))
		}
		if p.application == dumpApplication {
			in.warn("pg-dump-running", object, "it locks every table until it ends, pid "+list(pids)+": no phase can end meanwhile",
				"wait for it; a dump that no application is going to use can be made without the tokens (pg_dump --exclude-schema=crossfade)")
			continue
		}
		last := strings.Join(strings.Fields(members[p][0].Query), " ")
		if in.Sync == synctrigger.Sync || in.Sync == synctrigger.Refuse {
			in.info("session-followed", object, "connected without the hook: pid "+list(pids)+"; the trigger sees to what it writes", "")
			continue
		}
		if in.Tail {
			in.info("session-followed", object, "connected without the hook: pid "+list(pids)+"; the log tells what it writes",
				"it has to leave before the step sync-barrier can end")
			continue
		}
		in.warn("session-without-hook", object, fmt.Sprintf("connected without the hook: pid %s; last statement of the first: %s", list(pids), last),
			"embed the hook, end these sessions, or say sync: trigger; if they do not use the table, ignore the application")
	}
	return nil
}
