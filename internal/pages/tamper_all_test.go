//go:build attacks

package pages

const tamperStep = 1
