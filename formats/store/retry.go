// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// temporary is an error after which the request is sent again.
type temporary struct {
	error
	after time.Duration // the server's own wish
}

func (t temporary) Unwrap() error { return t.error }

// Temporary marks err as one after which the same request may succeed, not before the time after.
func Temporary(err error, after time.Duration) error { return temporary{err, after} }

// patience says how often something is tried, and the pause before the second try, which doubles for each further one.
type patience struct {
	tries int
	pause time.Duration
}

// again calls try until it succeeds, fails for good or has been called often enough.
func (p patience) again(ctx context.Context, try func(n int) error) error {
	pause := p.pause
	for n := 1; ; n++ {
		err := try(n)
		var t temporary
		if err == nil || !errors.As(err, &t) || n >= p.tries {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		// half of the pause is chance, so that many readers do not come back at once
		wait := pause/2 + rand.N(pause/2+1)
		wait = max(wait, min(t.after, time.Minute))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		pause = min(2*pause, 10*time.Second)
	}
}
