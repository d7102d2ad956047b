// Package simhost is the simulated acquirer's host as a process of its own: scenario.HostCore, which
// decides, behind HTTP and in front of a journal that survives kill -9. The acquirer's systems cannot
// exist here, so they are played; everything that menshen itself does with a host it does with this
// one as with a real one.
//
// There are no keys here that open anything, and no PINs. What is "loaded" into a simulated terminal is a
// random number that MACs the messages of one demonstration trial under a layout that is like
// UnionPay's and is not it (package iso8583). The only key that matters is the host's own: it signs
// outcomes, reports and charge lists, and in a demonstration it is a file.
//
// Two sides talk to it, with a token each. Menshen brings permits and asks for charges; whoever holds
// that token can neither write the books nor speak as a device. The acquirer's desk, which here also
// stands for the line that terminals dial in on, writes the books and runs the acceptance. A device
// proves itself by its key, its messages by their MAC, whatever token brought them.
//
// By its own choice it is hostile (Hostile): it answers late, out of order or not at all after it has
// acted, and requests reach it twice. What it signs stays true.
package simhost
