package registry

import "github.com/menshen-project/menshen/internal/statement"

// Types of what a phone signs for an organisation's own service. menshen carries it and files none of
// it, so no verb takes these.
const (
	TypeEnrolmentRequest = "enrolment_request"
	TypeBadgeRequest     = "badge_request"
)

// EnrolmentRequest shows that whoever asks for an enrolment can sign with the key that he brings: else
// anybody with a code could have another's key enrolled for himself, and a key that two hold counts for
// nobody. Signed with the new key, in the holder's name.
type EnrolmentRequest struct {
	Proof string `json:"proof"` // base64, see credential.CodeKey
}

// BadgeRequest asks for the day's badge. Signed with the technician's enrolled key, so that nobody
// who carries it can have a badge made.
type BadgeRequest struct {
	Key statement.Key `json:"key"` // the fresh key that the badge is for, es256
}
