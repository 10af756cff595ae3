package statuspage_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// envRequireChromium makes the tests that need a browser fail where there is none.
const envRequireChromium = "CROSSFADE_REQUIRE_CHROMIUM"

// browser is a headless Chromium with one tab, driven by the DevTools protocol over
// a pipe.
type browser struct {
	t       testing.TB
	to      io.Writer
	session string

	mu       sync.Mutex // guards what follows
	last     int
	waiting  map[int]chan reply
	troubles []string // errors on the console, violations of the policy, failed loads
}

// reply is what the browser says: to a command, or of its own accord.
type reply struct {
	ID     int
	Method string
	Params json.RawMessage
	Result json.RawMessage
	Error  *struct{ Message string }
}

// openBrowser skips the test where there is no Chromium.
func openBrowser(t testing.TB) *browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv(envRequireChromium) == "1" {
			t.Fatal("there is no Chromium, and " + envRequireChromium + " is 1")
		}
		t.Skip("there is no Chromium: apt-get install chromium")
	}
	commands, write, err := os.Pipe()
	require.NoError(t, err)
	read, replies, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.Command(path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--no-first-run", "--disable-background-networking", "--disable-extensions", "--mute-audio", "--force-color-profile=srgb",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{commands, replies} // its descriptors 3 and 4
	require.NoError(t, cmd.Start())
	_, _ = commands.Close(), replies.Close()
	b := &browser{t: t, to: write, waiting: map[int]chan reply{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.listen(read)
	}()
	t.Cleanup(func() {
		b.send("", "Browser.close", nil)
		ended := make(chan struct{})
		go func() { defer close(ended); _ = cmd.Wait() }()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		_, _ = write.Close(), read.Close()
		<-done
	})
	var target struct{ TargetID string }
	b.do("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.do("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.do(b.session, domain+".enable", nil, nil)
	}
	return b
}

// listen reads what the browser says until it ends.
func (b *browser) listen(from io.Reader) {
	reader := bufio.NewReaderSize(from, 1<<20)
	for {
		text, err := reader.ReadBytes(0)
		if err != nil {
			return
		}
		var r reply
		if json.Unmarshal(text[:len(text)-1], &r) != nil {
			continue
		}
		b.mu.Lock()
		switch r.Method {
		case "Log.entryAdded":
			if !bytes.Contains(r.Params, []byte(`"level":"verbose"`)) { // advice
				b.troubles = append(b.troubles, "log: "+string(r.Params))
			}
		case "Runtime.exceptionThrown", "Network.loadingFailed":
			b.troubles = append(b.troubles, r.Method+": "+string(r.Params))
		case "Runtime.consoleAPICalled":
			b.troubles = append(b.troubles, "console: "+string(r.Params))
		}
		if waiting := b.waiting[r.ID]; r.ID != 0 && waiting != nil {
			waiting <- r
			delete(b.waiting, r.ID)
		}
		b.mu.Unlock()
	}
}

func (b *browser) send(session, method string, params any) chan reply {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	answer := make(chan reply, 1)
	b.waiting[b.last] = answer
	command := map[string]any{"id": b.last, "method": method}
	if params != nil {
		command["params"] = params
	}
	if session != "" {
		command["sessionId"] = session
	}
	text, _ := json.Marshal(command)
	_, _ = b.to.Write(append(text, 0))
	return answer
}

// do sends a command and waits for its result.
func (b *browser) do(session, method string, params, result any) {
	b.t.Helper()
	select {
	case r := <-b.send(session, method, params):
		if r.Error != nil {
			b.t.Fatalf("%s: %s", method, r.Error.Message)
		}
		if result != nil {
			require.NoError(b.t, json.Unmarshal(r.Result, result))
		}
	case <-time.After(time.Minute):
		b.t.Fatalf("%s: the browser does not answer", method)
	}
}

// eval runs an expression in the page.
func eval[T any](b *browser, expression string) (value T) {
	b.t.Helper()
	var out struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.do(b.session, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &out)
	require.Empty(b.t, string(out.ExceptionDetails), expression)
	require.NoError(b.t, json.Unmarshal(out.Result.Value, &value), expression)
	return value
}

// open loads a page.
func (b *browser) open(url string) {
	b.t.Helper()
	b.do(b.session, "Page.navigate", map[string]any{"url": url}, nil)
	pgtest.WaitFor(b.t, "the page to load", func() bool {
		return eval[bool](b, `location.href !== "about:blank" && document.readyState === "complete"`)
	})
}

// size sets the size of the window, and the colours.
func (b *browser) size(width, height int, scheme string) {
	b.t.Helper()
	b.do(b.session, "Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.do(b.session, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// shoot takes a picture of the page from its top.
func (b *browser) shoot(file string, width, height int) {
	b.t.Helper()
	var out struct{ Data string }
	b.do(b.session, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true,
		"clip": map[string]any{"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}, &out)
	picture, err := base64.StdEncoding.DecodeString(out.Data)
	require.NoError(b.t, err)
	decoded, err := png.Decode(bytes.NewReader(picture))
	require.NoError(b.t, err)
	var small bytes.Buffer
	require.NoError(b.t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, fewColours(decoded)))
	require.NoError(b.t, os.WriteFile(file, small.Bytes(), 0o644)) //nolint:gosec // a picture of the documentation
}

// fewColours keeps the 256 colours that occur most, which makes a picture of a page
// a third as large.
func fewColours(picture image.Image) image.Image {
	frame := picture.Bounds()
	counts := map[color.Color]int{}
	for y := frame.Min.Y; y < frame.Max.Y; y++ {
		for x := frame.Min.X; x < frame.Max.X; x++ {
			counts[picture.At(x, y)]++
		}
	}
	palette := color.Palette(slices.Collect(maps.Keys(counts)))
	slices.SortFunc(palette, func(a, b color.Color) int { return counts[b] - counts[a] })
	palette = palette[:min(len(palette), 256)]
	nearest := map[color.Color]uint8{}
	for c := range counts {
		nearest[c] = uint8(palette.Index(c))
	}
	small := image.NewPaletted(frame, palette)
	for y := frame.Min.Y; y < frame.Max.Y; y++ {
		for x := frame.Min.X; x < frame.Max.X; x++ {
			small.SetColorIndex(x, y, nearest[picture.At(x, y)])
		}
	}
	return small
}

// trouble is what the browser has complained of.
func (b *browser) trouble() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.troubles...)
}

// forgive forgets what it has complained of.
func (b *browser) forgive() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.troubles = nil
}

// wait waits for an expression to be true.
func (b *browser) wait(what, expression string) {
	b.t.Helper()
	pgtest.WaitFor(b.t, what, func() bool { return eval[bool](b, expression) })
}
