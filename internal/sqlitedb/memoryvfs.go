package sqlitedb

import (
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// memoryVFS opens databases that are bytes of ours, each once, by one connection: what was committed is in the bytes.
const memoryVFSName = "lashstore-memory"

func init() { vfs.Register(memoryVFSName, &memory) }

var memory = memoryVFS{waiting: map[string]*vfsutil.SliceFile{}}

type memoryVFS struct {
	lock    sync.Mutex
	waiting map[string]*vfsutil.SliceFile // by name, until they are opened
}

// offer lets the next connection to name open these bytes, which are its own from then on.
func (v *memoryVFS) offer(name string, data *vfsutil.SliceFile) {
	v.lock.Lock()
	defer v.lock.Unlock()
	v.waiting[name] = data
}

// take ends an offer, and returns it if nobody took it before.
func (v *memoryVFS) take(name string) *vfsutil.SliceFile {
	v.lock.Lock()
	defer v.lock.Unlock()
	data := v.waiting[name]
	delete(v.waiting, name)
	return data
}

// Open opens what was offered, and files for SQLite's own passing use.
func (v *memoryVFS) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	data := &vfsutil.SliceFile{}
	if flags&vfs.OPEN_MAIN_DB != 0 {
		if data = v.take(name); data == nil {
			return nil, flags, sqlite3.CANTOPEN
		}
	}
	return memoryFile{data}, flags | vfs.OPEN_MEMORY, nil
}

// Delete is for journals, of which there are none.
func (v *memoryVFS) Delete(string, bool) error { return sqlite3.IOERR_DELETE_NOENT }

// Access is for journals, too.
func (v *memoryVFS) Access(string, vfs.AccessFlag) (bool, error) { return false, nil }

// FullPathname leaves names as they are.
func (v *memoryVFS) FullPathname(name string) (string, error) { return name, nil }

// memoryFile needs no locks: it has one user.
type memoryFile struct{ *vfsutil.SliceFile }

func (memoryFile) Lock(vfs.LockLevel) error         { return nil }
func (memoryFile) Unlock(vfs.LockLevel) error       { return nil }
func (memoryFile) CheckReservedLock() (bool, error) { return false, nil }
