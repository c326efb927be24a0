//go:build unix

package sqlitedb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Whoever opens a database holds its directory's lock shared until it has looked at the file; whoever removes one holds
// it alone.
const (
	shared    = unix.LOCK_SH
	exclusive = unix.LOCK_EX
)

// lockDirectory takes an advisory lock on the directory itself, so that no lock file is left behind.
func lockDirectory(ctx context.Context, dir string, how int) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { f.Close() }, nil // closing the only descriptor ends the lock; there is nothing to lose
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EWOULDBLOCK):
			return nil, errors.Join(fmt.Errorf("lock directory %s: %w", dir, err), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-time.After(pause):
		}
	}
}

// syncDirectory makes the names in a directory durable, where the file system lets it.
func syncDirectory(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err = f.Sync(); errors.Is(err, unix.EINVAL) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

func isReadOnlyFS(err error) bool { return errors.Is(err, unix.EROFS) }

func isFullFS(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
