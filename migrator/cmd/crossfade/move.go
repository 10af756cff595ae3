package main

import (
	"context"
	"fmt"

	"github.com/pgcrossfade/crossfade/internal/console"
	"github.com/pgcrossfade/crossfade/migrator"
)

// move runs what takes a transition somewhere, and says where it stands then.
func (a *app) move(ctx context.Context, do func(context.Context, *migrator.Migrator) (migrator.Position, error)) error {
	var position migrator.Position
	err := a.work(ctx, func(ctx context.Context, m *migrator.Migrator) (err error) {
		position, err = do(ctx, m)
		return err
	})
	if err != nil {
		return err
	}
	return a.result(position, func(out *console.Output) error {
		s := out.Style()
		if position.Phase == "" {
			_, err := fmt.Fprintf(out, "%s stands after step %s\n%s", s.Bold(position.Name), s.Accent(dash(position.Step)), next(position))
			return err
		}
		_, err := fmt.Fprintf(out, "%s is in phase %s%s\n%s", s.Bold(position.Name), s.Accent(string(position.Phase)),
			afterStep(position), next(position))
		return err
	})
}

func afterStep(p migrator.Position) string {
	if p.Step == "" {
		return ""
	}
	return ", after step " + p.Step
}

// next says what a user would do now.
func next(p migrator.Position) string {
	switch {
	case p.Ended:
		return "next: crossfade remove " + p.Name + ", or crossfade rollback " + p.Name + "\n"
	case p.Phase == migrator.Complete, p.Phase == "" && p.Step == "hide":
		return "next, after a soak: crossfade contract " + p.Name + "\n"
	case p.Phase.SourceGone():
		return "next, when no application uses the old name any more: crossfade remove " + p.Name + "\n"
	case p.Step == "register" && p.Underway == "" && (p.Phase == migrator.Off || p.Phase == ""):
		return "next: crossfade run " + p.Name + ", or crossfade remove " + p.Name + "\n"
	}
	return "next: crossfade run " + p.Name + ", or crossfade rollback " + p.Name + "\n"
}
