//go:build race

package testsuite_test

func init() { underRace = true }
