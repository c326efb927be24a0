package sqlitedb

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// networkMagic are the file systems whose locks, or whose memory shared between processes, reach over a network. 9p and
// FUSE are not among them: both also serve local files, and where they cannot share memory, WAL is refused anyway.
var networkMagic = map[int64]string{
	unix.NFS_SUPER_MAGIC:  "nfs",
	unix.SMB_SUPER_MAGIC:  "smb",
	unix.SMB2_SUPER_MAGIC: "smb2",
	unix.CIFS_SUPER_MAGIC: "cifs",
	unix.AFS_SUPER_MAGIC:  "afs",
	unix.AFS_FS_MAGIC:     "afs",
	unix.CODA_SUPER_MAGIC: "coda",
	unix.CEPH_SUPER_MAGIC: "ceph",
	0x0BD00BD0:            "lustre",
	0x01161970:            "gfs2",
	0x7461636F:            "ocfs2",
	0x47504653:            "gpfs",
	0x19830326:            "beegfs",
}

// networkFileSystem names the network file system that dir is on; "" when it is on none.
func networkFileSystem(dir string) (string, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return "", fmt.Errorf("ask for the file system of %s: %w", dir, err)
	}
	return networkName(int64(stat.Type)), nil
}

// networkName looks a file system's type up, which some systems report sign-extended.
func networkName(fsType int64) string { return networkMagic[fsType&0xffffffff] }
