// Package pages shows menshen to people: HTML made on the server, in Chinese and English, that works
// without JavaScript and asks no third party for anything.
//
// A page shows what a Source gives it and decides nothing. ViewOf turns what evidence found into what
// people read; whoever implements Source only fetches. Every word people see stands in words.go and
// its neighbours, in both languages side by side.
package pages
