package rundir

import _ "oneshot/internal/pipeline"
