package host

import _ "oneshot/ops/cuda"
