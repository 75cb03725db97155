import { HttpService } from '@nestjs/axios';
import { Injectable } from '@nestjs/common';
import { firstValueFrom } from 'rxjs';
import { type Book, parseBook, parseBooks } from '../books/book.js';

/** The HTTP client of storagesvc: one request per call, no policies. */
@Injectable()
export class StorageClient {
  constructor(private readonly http: HttpService) {}

  async books(signal?: AbortSignal): Promise<Book[]> {
    return parseBooks(await this.get('/books', signal));
  }

  async book(id: number, signal?: AbortSignal): Promise<Book> {
    return parseBook(await this.get(`/books/${id}`, signal));
  }

  private async get(path: string, signal: AbortSignal | undefined): Promise<unknown> {
    const response = await firstValueFrom(
      this.http.get<unknown>(path, signal === undefined ? {} : { signal }),
    );
    return response.data;
  }
}
