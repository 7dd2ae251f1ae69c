// Required before the action proxy for nodejs: so much memory mapped and written that the checkpoint has it too.
"use strict";

globalThis.ballast = Buffer.alloc(Number(process.env.BALLAST_MB) << 20, 1);
