package statuspage_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/statuspage"
)

// TestBrowser: a page that is open shows a flip by itself, keeps what the reader has
// opened, breaks no rule of its own policy, and fits a telephone.
func TestBrowser(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	db, m := started(t, users, rename, widen)
	_, err := m.Advance(ctx, rename.Name, migrator.AdvanceOptions{}) // its expand step
	require.NoError(t, err)
	_, err = join(t, db, "a-service-with-quite-a-long-application-name").Exec(ctx, "begin; select 1")
	require.NoError(t, err)
	s := serve(t, m, statuspage.Config{Token: token, Interval: 20 * time.Millisecond})
	b.size(1280, 900, "light")

	b.open(s.url + "/")
	b.wait("the form", `document.querySelector("form input[name=token]") !== null`)
	require.Len(t, b.trouble(), 1, "401 is an entry of its own")
	b.forgive()
	b.open(s.url + "/?token=" + token)
	b.wait("the page", `document.querySelectorAll("article.card").length === 2 && location.search === ""`)
	require.Equal(t, "off", eval[string](b, `document.querySelector("#t-users-name [aria-current] .stage").firstChild.data.trim()`))
	b.wait("the stream", `document.getElementById("live").classList.contains("on")`)

	eval[bool](b, `(() => {
		window.witness = "this page was not loaded anew";
		const d = document.querySelector("#t-users-name details");
		d.open = true;
		d.querySelector("summary").focus();
		return true;
	})()`)
	opened := eval[string](b, `document.activeElement.parentElement.id`)
	require.NotEmpty(t, opened)
	_, err = newMigrator(t, db, migrator.Config{DrainTimeout: time.Millisecond}).Run(ctx, rename.Name, migrator.RunOptions{})
	require.Error(t, err, "the session's transaction holds it")
	b.wait("the flip", `document.querySelector("#t-users-name .facts .big").textContent.trim() === "dualwrite"`)
	b.wait("whom it waits for", `document.getElementById("t-users-name").textContent.includes("waits for 1 session")`)
	require.Equal(t, "this page was not loaded anew", eval[string](b, `window.witness`))
	require.Contains(t, eval[string](b, `document.getElementById("said").textContent`), "users-name: dualwrite")
	require.True(t, eval[bool](b, `document.querySelector("#e-users-name") !== null`))
	if eval[bool](b, `document.getElementById("`+opened+`") !== null`) {
		require.True(t, eval[bool](b, `document.getElementById("`+opened+`").open`), "it stays open")
	}

	for _, width := range []int{320, 390, 768, 1280, 2200} {
		for _, scheme := range []string{"light", "dark"} {
			b.size(width, 900, scheme)
			require.LessOrEqual(t, eval[int](b, `document.documentElement.scrollWidth`), width, "it is too wide")
		}
	}
	require.NotEqual(t, eval[string](b, `getComputedStyle(document.body).backgroundColor`), "rgb(245, 246, 247)", "the dark one")
	require.Empty(t, b.trouble())
}

// TestBrowserWithoutScript: the page is whole before any script has run, and loads
// itself anew.
func TestBrowserWithoutScript(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	_, m := started(t, users, rename)
	s := serve(t, m, statuspage.Config{})
	s.get("/", "users-name")
	b.do(b.session, "Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	b.open(s.url + "/")
	b.wait("the page", `document.querySelectorAll("article.card").length === 1`)
	require.Equal(t, "5", eval[string](b, `document.querySelector("noscript meta").content`))
	require.Empty(t, b.trouble())
}

// TestBrowserTurnedAway: one viewer more than there is room for sees the page all
// the same.
func TestBrowserTurnedAway(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	_, m := started(t, users, rename)
	s := serve(t, m, statuspage.Config{MaxStreams: 1})
	s.get("/", "users-name")
	s.stream()
	require.Equal(t, http.StatusServiceUnavailable, s.ask("GET", "/events").code)
	b.open(s.url + "/")
	b.wait("that it is not live", `document.getElementById("live").classList.contains("lost")`)
	require.True(t, eval[bool](b, `document.getElementById("t-users-name") !== null`))
}

// TestContrast: text can be read on what it stands on, in both schemes.
func TestContrast(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	_, m := started(t, users, rename)
	run(t, m, rename.Name, migrator.Shadow)
	_, err := m.Pause(ctx, rename.Name)
	require.NoError(t, err)
	s := serve(t, m, statuspage.Config{})
	s.get("/", "users-name")
	for _, scheme := range []string{"light", "dark"} {
		b.size(1280, 900, scheme)
		b.open(s.url + "/")
		require.Empty(t, eval[[]string](b, contrast), scheme)
	}
}

// contrast lists the texts whose contrast is below the 4.5 of WCAG's level AA.
const contrast = `(() => {
	const rgb = (text) => (text.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
	const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
	const ground = (e) => {
		for (; e; e = e.parentElement) {
			const c = rgb(getComputedStyle(e).backgroundColor);
			if (c.length < 4 || c[3] > 0) return c;
		}
		return [255, 255, 255];
	};
	const poor = [];
	for (const e of document.querySelectorAll("body *")) {
		const text = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
		if (!text || !e.checkVisibility()) continue;
		const style = getComputedStyle(e);
		const [a, b] = [light(rgb(e.ownerSVGElement ? style.fill : style.color)), light(ground(e))].sort((x, y) => y - x);
		const ratio = (a + .05) / (b + .05);
		if (ratio < 4.5) poor.push(text + ": " + ratio.toFixed(2) + " " + style.color);
	}
	return poor;
})()`
