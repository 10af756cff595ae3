//go:build !unix

package postgres

import "net"

const listensOnSocket = false

// address returns where the server listens: at a free port.
func address(string) (host string, port int, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", 0, err
	}
	defer listener.Close()
	return "127.0.0.1", listener.Addr().(*net.TCPAddr).Port, nil
}

// listen returns the arguments that make the server listen at host.
func listen(host string) []string {
	return []string{"-c", "listen_addresses=" + host, "-c", "unix_socket_directories="}
}
