package sqlitedb

import (
	"errors"
	"io/fs"

	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// SQLite keeps the index of a WAL in memory shared through a file beside the database. A connection in exclusive locking
// mode keeps it in memory of its own instead, and demands the database's exclusive lock for that. Two VFS serve such
// connections: one where nothing can be written, one that wants to be alone.
const (
	frozenVFS = "lashstore-frozen" // reads only; does not lock others out, so that its user must see whether they write
	aloneVFS  = "lashstore-alone"  // is busy unless no other connection, of any process, is open on the database
)

func init() {
	vfs.Register(frozenVFS, heapVFS{VFS: vfs.Find(""), open: openFrozen})
	vfs.Register(aloneVFS, heapVFS{VFS: vfs.Find(""), open: openAlone})
}

// heapVFS is the system's VFS with other ways to open files, and without shared memory.
type heapVFS struct {
	vfs.VFS
	open func(system vfs.VFS, name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error)
}

// OpenFilename is how SQLite opens files.
func (v heapVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return v.open(v.VFS, name, flags)
}

// openFrozen opens for reading alone. A WAL that is not there is one that is empty.
func openFrozen(system vfs.VFS, name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if flags&(vfs.OPEN_MAIN_DB|vfs.OPEN_WAL) == 0 {
		return vfsutil.WrapOpenFilename(system, name, flags)
	}
	flags = flags&^(vfs.OPEN_READWRITE|vfs.OPEN_CREATE) | vfs.OPEN_READONLY
	file, flags, err := vfsutil.WrapOpenFilename(system, name, flags)
	if flags&vfs.OPEN_WAL != 0 && errors.Is(err, fs.ErrNotExist) {
		return &vfsutil.SliceFile{}, flags, nil
	}
	if err != nil {
		return nil, flags, err
	}
	return frozenFile{file}, flags, nil
}

// frozenFile is a file for reading. It holds the lock of a reader and pretends the others, which only writing needs.
type frozenFile struct{ vfs.File }

func (f frozenFile) Lock(lock vfs.LockLevel) error { return f.File.Lock(min(lock, vfs.LOCK_SHARED)) }

// openAlone opens as the system does.
func openAlone(system vfs.VFS, name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(system, name, flags)
	if err != nil || flags&vfs.OPEN_MAIN_DB == 0 {
		return file, flags, err
	}
	return aloneFile{file}, flags, nil
}

// aloneFile takes the exclusive lock with the first that is asked for and keeps it until it is closed.
type aloneFile struct{ vfs.File }

func (f aloneFile) Lock(vfs.LockLevel) error {
	if err := f.File.Lock(vfs.LOCK_SHARED); err != nil {
		return err
	}
	err := f.File.Lock(vfs.LOCK_EXCLUSIVE)
	if err != nil {
		_ = f.File.Unlock(vfs.LOCK_NONE) // closing ends it too; the driver wants its own error, unwrapped
	}
	return err
}

func (f aloneFile) Unlock(vfs.LockLevel) error { return nil }

func (f aloneFile) CheckReservedLock() (bool, error) { return false, nil }
