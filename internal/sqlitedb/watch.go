package sqlitedb

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The WAL is written to by every commit; the file of its shared memory is touched behind one, by those who use this
// package.
const (
	walSuffix = "-wal"
	shmSuffix = "-shm"
)

// watcher watches the files of all databases that somebody in this process waits on: one for the process, because
// systems allow few. It is there from the first waiting on until the last of the databases that were waited on is closed:
// ending an inotify instance takes the kernel many milliseconds, which nobody who has just been woken should pay.
var watcher = struct {
	mu    sync.Mutex
	files *fsnotify.Watcher // nil without users
	ended chan struct{}     // closed when its goroutine has ended
	users map[*topic]bool   // have waited, and are open
	byWAL map[string]*topic // wait now, by the absolute name of the WAL
}{users: map[*topic]bool{}, byWAL: map[string]*topic{}}

// fileWatch is a database's part in the watcher.
type fileWatch struct{ topic *topic }

// watchDatabase begins to watch. The files are there: whoever waits has the database open.
func watchDatabase(t *topic) (*fileWatch, error) {
	watcher.mu.Lock()
	defer watcher.mu.Unlock()
	if watcher.files == nil {
		files, err := fsnotify.NewWatcher()
		if err != nil {
			return nil, fmt.Errorf("watch files: %w", err)
		}
		watcher.files, watcher.ended = files, make(chan struct{})
		go dispatch(files, watcher.ended)
	}
	w := &fileWatch{t}
	watcher.users[t] = true
	watcher.byWAL[t.path+walSuffix] = t
	err := errors.Join(watcher.files.Add(t.path+walSuffix), watcher.files.Add(t.path+shmSuffix))
	if err != nil {
		w.remove()
		return nil, fmt.Errorf("watch %s: %w", filepath.Base(t.path), err)
	}
	return w, nil
}

// close ends the watching of the database, and leaves the watcher for the next time.
func (w *fileWatch) close() {
	watcher.mu.Lock()
	defer watcher.mu.Unlock()
	w.remove()
}

// remove needs the watcher's mutex, held by the caller. Where the database was opened anew meanwhile, it is not its to end.
func (w *fileWatch) remove() {
	if watcher.byWAL[w.topic.path+walSuffix] != w.topic {
		return
	}
	delete(watcher.byWAL, w.topic.path+walSuffix)
	for _, suffix := range []string{walSuffix, shmSuffix} {
		_ = watcher.files.Remove(w.topic.path + suffix) // not watched, or the file is gone: nothing to end
	}
}

// forget ends the watcher with its last user, and returns when nothing of it is left running. A topic that still waits
// stays: whoever waits forgets it.
func forget(t *topic) {
	watcher.mu.Lock()
	if watcher.byWAL[t.path+walSuffix] == t || !watcher.users[t] {
		watcher.mu.Unlock()
		return
	}
	delete(watcher.users, t)
	var ended <-chan struct{}
	if len(watcher.users) == 0 {
		_ = watcher.files.Close() // it says nothing that anybody could act on
		watcher.files, ended = nil, watcher.ended
	}
	watcher.mu.Unlock() // what ends may be waiting for it
	if ended != nil {
		<-ended
	}
}

// dispatch hands events to the topics until the watcher is closed.
func dispatch(files *fsnotify.Watcher, ended chan struct{}) {
	defer close(ended)
	for {
		select {
		case event, ok := <-files.Events:
			if !ok {
				return
			}
			notice(event)
		case _, ok := <-files.Errors: // events were lost: whoever waits looks
			if !ok {
				return
			}
			noticeAll()
		}
	}
}

func notice(event fsnotify.Event) {
	name := event.Name
	database, published := strings.CutSuffix(name, shmSuffix)
	if published {
		name = database + walSuffix
	}
	watcher.mu.Lock()
	t := watcher.byWAL[name]
	watcher.mu.Unlock()
	switch {
	case t == nil:
	case published:
		t.wake()
	default:
		t.written()
	}
}

func noticeAll() {
	watcher.mu.Lock()
	all := slices.Collect(maps.Values(watcher.byWAL))
	watcher.mu.Unlock()
	for _, t := range all {
		t.wake()
	}
}

// publish tells those who wait that something was committed: in this process at once, in others by a touch of the file
// that they watch. A file that is not there is watched by nobody.
func (d *DB) publish() {
	d.topic.wake()
	if d.path != "" {
		now := time.Now()
		_ = os.Chtimes(d.path+shmSuffix, now, now)
	}
}
