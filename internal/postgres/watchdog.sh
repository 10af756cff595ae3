# usage: watchdog.sh DIRECTORY POSTMASTER_PID_FILE
# When standard input ends, stop the server whose socket is in DIRECTORY and
# remove DIRECTORY.
trap '' HUP INT QUIT TERM
while read -r _; do :; done

pause() { sleep 0.1 2>/dev/null || sleep 1; }

# postmaster.pid goes when the server has stopped. Its fifth line, the socket
# directory, proves that the process is ours.
n=0
while [ -e "$2" ] && [ $n -lt 120 ]; do
	pid='' socket=''
	{ read -r pid && read -r _ && read -r _ && read -r _ && read -r socket; } <"$2" 2>/dev/null
	if [ "$socket" = "$1" ]; then
		# PostgreSQL itself gives its children 5 s.
		if [ $n -lt 100 ]; then signal=QUIT; else signal=KILL; fi
		kill -s $signal "$pid" 2>/dev/null || break
	fi
	n=$((n + 1))
	pause
done

# An initdb that was interrupted may still be writing.
n=0
while [ -e "$1" ] && [ $n -lt 50 ]; do
	rm -rf "$1" 2>/dev/null || pause
	n=$((n + 1))
done
