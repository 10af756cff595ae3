package preflight

import (
	"context"
	"fmt"
	"strings"

	"github.com/pgcrossfade/crossfade/internal/ddl"
)

// checkPublications: a column list or row filter names the source; and every
// subscriber needs the target before the first change of it arrives.
func checkPublications(ctx context.Context, in *inspection) error {
	depends, err := query[struct{ Name string }](ctx, in, `
		select distinct quote_ident(p.pubname) from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
		where r.oid = any($1) order by 1`, in.of("pg_publication_rel"))
	if err != nil {
		return fmt.Errorf("read publications: %w", err)
	}
	for _, p := range depends {
		in.refuse("publication-depends", "publication "+p.Name, "its column list or row filter names the source",
			"publish the table without it for the time of the transition; or put the target in its place between live and complete, once "+
				"every subscriber has it, and accept publication-depends: alter publication "+p.Name+" drop table "+in.sqlName()+
				"; alter publication "+p.Name+" add table "+in.sqlName()+" (...) where (...)")
	}
	publications, err := query[struct {
		Name string
		All  bool
	}](ctx, in, `
		select quote_ident(p.pubname), p.puballtables from pg_publication p
		where exists (
			select from pg_publication_tables t
			join pg_namespace n on n.nspname = t.schemaname
			join pg_class c on c.relnamespace = n.oid and c.relname = t.tablename
			where t.pubname = p.pubname and c.oid = any($1))
		order by 1`, in.tree())
	if err != nil {
		return fmt.Errorf("read publications: %w", err)
	}
	for _, p := range publications {
		if p.All {
			in.warn("publication-all-tables", "publication "+p.Name, "it publishes all tables, the ledger in schema crossfade among them",
				"a subscriber needs those tables too, or a publication of single tables")
		}
		in.warn("table-published", "publication "+p.Name, "it publishes the table: a subscriber without the target stops at the first change",
			"before the expand step, on every subscriber: "+in.addTargets())
	}
	return nil
}

// sqlName is the table's name, as SQL.
func (in *inspection) sqlName() string { return ddl.Name{Schema: in.Schema, Table: in.Table}.String() }

// addTargets are the statements that a subscriber needs.
func (in *inspection) addTargets() string {
	var statements []string
	for _, c := range in.report.Definition.Targets {
		statements = append(statements, ddl.AddColumn(ddl.Name{Schema: in.Schema, Table: in.Table}, c.Name, c.Type, c.Collation).SQL)
	}
	return strings.Join(statements, "; ")
}
