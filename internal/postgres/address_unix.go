//go:build unix

package postgres

const listensOnSocket = true

// address returns where the server listens: on a socket in its directory,
// which only its own user and root can enter. So it needs no password.
func address(dir string) (host string, port int, err error) {
	return dir, 5432, nil
}

// listen returns the arguments that make the server listen at host.
func listen(host string) []string {
	return []string{"-c", "listen_addresses=", "-c", "unix_socket_directories=" + host}
}
