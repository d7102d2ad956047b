package evidence

// Enroller says which kind of organisation may enrol keys for a role (design §6), "" for none. An
// organisation's own service holds itself to it, so that it never signs what nobody would count.
func Enroller(role string) string { return mayEnrol[role] }
