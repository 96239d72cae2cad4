package audit

import _ "image/png"
