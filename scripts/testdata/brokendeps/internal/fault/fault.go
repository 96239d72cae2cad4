package fault

import _ "oneshot/internal/pipeline"
