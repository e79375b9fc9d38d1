/** What is read of a request: of `node:http`, of the frameworks built on it, or of the Fetch standard. */
export interface HttpRequest {
  readonly method?: string | undefined;
}

/** What is used of a response of `node:http`. */
export interface HttpResponse {
  statusCode: number;
  /** Sets one header. */
  setHeader(name: string, value: string): unknown;
  /** Ends the response, with the body if it has one. */
  end(body?: string): unknown;
}

/** A complete answer. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const isRead = ({ method = 'GET' }: HttpRequest): boolean => method === 'GET' || method === 'HEAD';

/** The refusal of any method but GET and HEAD. */
export const onlyRead = (request: HttpRequest): Reply | undefined =>
  isRead(request) ? undefined : { status: 405, headers: { allow: 'GET, HEAD' }, body: 'only GET\n' };

/** Writes status and headers. */
export function begin(response: HttpResponse, { status, headers }: Omit<Reply, 'body'>): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

export function answer(reply: Reply, { method }: HttpRequest, response: HttpResponse): void {
  begin(response, reply);
  if (method === 'HEAD') response.end();
  else response.end(reply.body);
}

export const answered = ({ status, headers, body }: Reply, { method }: HttpRequest): Response =>
  new Response(method === 'HEAD' ? null : body, { status, headers });
