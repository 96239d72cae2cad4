package gpu

import _ "oneshot/supernet/engine/host"
