//go:build unix

package compat

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

const sectionNetworks = "Between pgx and PostgreSQL"

// networks are ways to reach a server.
var networks = []subject{
	{sectionNetworks, "several hosts, `target_session_attrs=read-write`", "", severalHosts},
	{sectionNetworks, "TLS, `sslmode=verify-full`, SCRAM with `channel_binding=require`", "", tlsWithChannelBinding},
	pooler("PgBouncer, `pool_mode=session`", "session"),
	pooler("PgBouncer, `pool_mode=transaction`", "transaction"),
	{sectionNetworks, "hot standby, a pool that reads", "", standbyReads},
	{sectionNetworks, "several hosts, the standby first, `target_session_attrs=primary`", "", standbyFirst},
}

// severalHosts has one that nobody listens at before the server.
func severalHosts(t *testing.T) outcome {
	j := newJourney(t, "")
	j.app = withHosts(t, j.URL, "/nowhere") + "&target_session_attrs=read-write"
	j.run(pgxShop{j.pool(nil)})
	return outcome{works, ""}
}

// withHosts puts other hosts before those of the URL.
func withHosts(t *testing.T, connString string, hosts ...string) string {
	u, err := url.Parse(connString)
	require.NoError(t, err)
	query := u.Query()
	for _, host := range hosts {
		query.Set("host", host+","+query.Get("host"))
		query.Set("port", "5432,"+query.Get("port"))
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func tlsWithChannelBinding(t *testing.T) outcome {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	writeCertificate(t, cert, key)
	hba := filepath.Join(dir, "hba.conf")
	require.NoError(t, os.WriteFile(hba, []byte("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"), 0o600))
	pgtest.GiveToServer(t, pgtest.New(t), dir)
	port := freePort(t)
	server := pgtest.Server(t, map[string]string{
		"listen_addresses": "127.0.0.1", "port": strconv.Itoa(port), "hba_file": hba,
		"ssl": "on", "ssl_cert_file": cert, "ssl_key_file": key, "password_encryption": "scram-sha-256",
	})
	db := &pgtest.DB{URL: server.URL("postgres")}
	db.Exec(t, schema+`; alter role postgres password 'secret'`)
	j := newJourneyOn(t, db)
	j.app = fmt.Sprintf("postgres://postgres:secret@127.0.0.1:%d/postgres?sslmode=verify-full&sslrootcert=%s&channel_binding=require",
		port, url.QueryEscape(cert))
	pool := j.pool(nil)
	var version string
	require.NoError(t, pool.QueryRow(t.Context(), `select version from pg_stat_ssl where pid = pg_backend_pid() and ssl`).Scan(&version))
	j.run(pgxShop{pool})
	return outcome{works, ""}
}

// writeCertificate makes a certificate for 127.0.0.1, signed by itself.
func writeCertificate(t *testing.T, certFile, keyFile string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "crossfade test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private},
	} {
		require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	}
}

// freePort is one that nobody listens at.
func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
