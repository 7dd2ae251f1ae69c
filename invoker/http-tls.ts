// HTTPS for the admin pages, with the key store that the stock invoker is given.

import { readFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import { createSecureContext, type SecureContextOptions, type TLSSocket } from "node:tls";

/** `whisk.invoker.https` */
export interface AdminTls {
  readonly keystorePath: string;
  readonly keystorePassword: string;
  /** Only `PKCS12` can be read here. */
  readonly keystoreFlavor: string;
  /** True: who has no certificate that the key store trusts is turned away. */
  readonly clientAuth: boolean;
}

/** The key store cannot be used. */
export class AdminTlsError extends Error {
  readonly code: "flavor" | "unreadable";
  constructor(code: AdminTlsError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AdminTlsError";
    this.code = code;
  }
}

/** What is in the key store. Throws AdminTlsError. */
export function openKeyStore(settings: AdminTls): Pick<SecureContextOptions, "pfx" | "passphrase" | "ca"> {
  const { keystorePath, keystorePassword, keystoreFlavor } = settings;
  if (keystoreFlavor.toUpperCase() !== "PKCS12") {
    const why = `a key store of the flavor ${keystoreFlavor} cannot be read: convert ${keystorePath} to PKCS12`;
    throw new AdminTlsError("flavor", `${why} and set whisk.invoker.https.keystore-flavor`);
  }
  try {
    // None of the well-known authorities: whom to trust is the key store's matter alone.
    const opened = { pfx: readFileSync(keystorePath), passphrase: keystorePassword, ca: [] };
    createSecureContext(opened);
    return opened;
  } catch (cause) {
    const why = `the key store ${keystorePath} cannot be opened (${cause instanceof Error ? cause.message : cause})`;
    const remedy = "check whisk.invoker.https.keystore-path and keystore-password";
    throw new AdminTlsError("unreadable", `${why}: ${remedy}`, { cause });
  }
}

/** Throws AdminTlsError. */
export function createTlsServer(settings: AdminTls, listener: RequestListener): Server {
  const { clientAuth } = settings;
  // Who is let in is decided below, because a certificate of the key store itself is trusted as well.
  const asked = { requestCert: clientAuth, rejectUnauthorized: false };
  const server = createServer({ ...openKeyStore(settings), ...asked }, listener);
  if (clientAuth) {
    server.prependListener("secureConnection", (socket: TLSSocket) => {
      if (!socket.authorized && !showsOwnCertificate(socket)) socket.destroy();
    });
  }
  return server;
}

/** As in stock's deployment, where all components show the one certificate that they have. */
function showsOwnCertificate(socket: TLSSocket): boolean {
  const { raw: shown } = socket.getPeerCertificate() as { readonly raw?: Buffer };
  const { raw: own } = socket.getCertificate() as { readonly raw?: Buffer };
  return shown !== undefined && own !== undefined && shown.equals(own);
}
