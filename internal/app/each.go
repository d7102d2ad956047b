package app

import "sync"

// each runs f for 0 … n-1 side by side and waits for all.
func each(n int, f func(int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
