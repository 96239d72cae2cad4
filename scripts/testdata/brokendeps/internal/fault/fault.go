package fault

import _ "oneshot/internal/ui"
