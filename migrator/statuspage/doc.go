// Package statuspage shows the transitions of a database as a page in the
// browser, for people who watch a rollout, and as documents for programs.
//
//   - A [Page] is an http.Handler: mount it in a server of your own, or have it
//     served by [Page.Serve], as the command crossfade serve does.
//   - [Page.Run] looks at the database, once in an interval, however many watch.
//     Handlers only show what it has seen last.
//   - The page follows by server-sent events, and without JavaScript by loading
//     itself anew. It loads nothing from elsewhere.
//
// It reads, and changes nothing. It serves / (the page), events, status.json,
// metrics (Prometheus) and healthz, all below where it is mounted.
package statuspage
