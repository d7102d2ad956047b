//go:build !postgres

package storetest

var engines = []Engine{sqlite}

func stopServer() error { return nil }
