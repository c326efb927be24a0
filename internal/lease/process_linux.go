package lease

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/lashstore/lashstore"
)

// ProbeProcess looks a process up in /proc. It reports false only when the process is gone or its number belongs to
// one that was started at another time.
func ProbeProcess(p lashstore.LocalProcess) (bool, error) { return probe("/proc", p) }

// probe takes a process that proc does not show for gone only when the kernel knows none of that number either: proc may
// hide the processes of other users (hidepid), and may not be mounted.
func probe(proc string, p lashstore.LocalProcess) (bool, error) {
	start, err := startTime(proc, p.PID)
	if errors.Is(err, fs.ErrNotExist) {
		if errors.Is(syscall.Kill(p.PID, 0), syscall.ESRCH) {
			return false, nil
		}
		return false, fmt.Errorf("%s does not show process %d, which is there", proc, p.PID)
	}
	if err != nil {
		return false, err
	}
	return start == p.StartTime, nil
}

// LocalOwner describes this process as an owner whose death others on this machine can prove. On failure to read /proc
// it is an owner of whom nothing can be proven.
func LocalOwner(id, incarnation string) lashstore.Owner {
	owner := lashstore.Owner{ID: id, Incarnation: incarnation}
	boot, errBoot := os.ReadFile("/proc/sys/kernel/random/boot_id")
	namespace, errNamespace := os.Readlink("/proc/self/ns/pid")
	start, errStart := startTime("/proc", os.Getpid())
	if errors.Join(errBoot, errNamespace, errStart) != nil {
		return owner
	}
	owner.Process = &lashstore.LocalProcess{
		HostID: namespace, BootID: strings.TrimSpace(string(boot)), PID: os.Getpid(), StartTime: start,
	}
	return owner
}

// startTime reads field 22 of <proc>/<pid>/stat. The second field, the command's name, may hold anything, so that
// counting begins behind its closing parenthesis.
func startTime(proc string, pid int) (uint64, error) {
	path := fmt.Sprintf("%s/%d/stat", proc, pid)
	stat, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	at := bytes.LastIndex(stat, []byte(") "))
	if at < 0 {
		return 0, fmt.Errorf("%s has no command", path)
	}
	const firstBehindName, wanted = 3, 22
	fields := strings.Fields(string(stat[at+2:]))
	if len(fields) <= wanted-firstBehindName {
		return 0, fmt.Errorf("%s has too few fields", path)
	}
	return strconv.ParseUint(fields[wanted-firstBehindName], 10, 64)
}
