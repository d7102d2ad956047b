// Package orgapi is the conversation between menshen and an organisation's own service (design §6): what
// is asked, what is answered, how it is refused, and the client that asks.
//
// The service is another party's. It decides by its own rules and signs; menshen carries its statements
// and records them. So an answer is bytes that somebody signed, to be proven like any other, and a call
// can be repeated: the service answers the same request in the same way.
package orgapi
