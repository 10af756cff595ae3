package main

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcrossfade/crossfade/migrator"
)

// isFile tells a transition file from a transition's name, in which neither a
// dot nor a slash may stand.
func isFile(argument string) bool { return strings.ContainsAny(argument, `./\`) }

// loadTransition reads a transition file; a fault in it is the user's.
func loadTransition(path string) (migrator.Transition, error) {
	t, err := migrator.LoadTransition(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return t, &usageError{cause: err}
	}
	return t, err
}

// one reads the status of one transition.
func one(ctx context.Context, m *migrator.Migrator, name string, events int) (migrator.Status, error) {
	list, err := m.Status(ctx, migrator.StatusOptions{Name: name, Events: events})
	if err != nil {
		return migrator.Status{}, err
	}
	if len(list) == 0 {
		return migrator.Status{}, migrator.ErrNotFound
	}
	return list[0], nil
}

// completeNames lets a shell complete the name of an active transition. A shell
// waits for it, so it gives up early.
func (a *app) completeNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	m, err := a.migrator()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	list, err := m.Status(ctx, migrator.StatusOptions{Events: 1})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = s.Name + "\t" + string(s.Phase)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeNamesAndFiles is for a command that takes either.
func (a *app) completeNamesAndFiles(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	names, _ := a.completeNames(cmd, args, begun)
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveDefault
}

// completeFiles lets a shell complete the name of a transition file.
func completeFiles(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml", "json"}, cobra.ShellCompDirectiveFilterFileExt
}
