package store

import "context"

// MarkDeleted does the first step of a deletion and no more, as a process that is killed there.
func MarkDeleted(ctx context.Context, path string) error {
	s, err := OpenExisting(ctx, path, nil)
	if err != nil {
		return err
	}
	if err := s.markDeleted(ctx); err != nil {
		return err
	}
	return s.db.Close()
}
