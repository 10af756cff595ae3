package postgres

import (
	"net/url"
	"strings"
)

// withDatabase returns connString for another database. It takes both of
// PostgreSQL's forms, a URL and keywords with values.
func withDatabase(connString, database string) string {
	if database == "" {
		return connString
	}
	u, err := url.Parse(connString)
	if err != nil || u.Scheme == "" {
		// Of a repeated keyword the last one counts.
		escaped := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(database)
		return connString + " dbname='" + escaped + "'"
	}
	u.Path = "/" + database
	u.RawPath = ""
	if query := u.Query(); query.Has("dbname") {
		query.Del("dbname")
		u.RawQuery = query.Encode()
	}
	return u.String()
}
